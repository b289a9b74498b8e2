-- AlterEnum
ALTER TYPE "run_status" ADD VALUE 'queued' BEFORE 'running';
ALTER TYPE "run_status" ADD VALUE 'paused' AFTER 'running';
ALTER TYPE "run_status" ADD VALUE 'stopped';

-- CreateTable
CREATE TABLE "ban" (
    "client_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "by" TEXT NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "ban_pkey" PRIMARY KEY ("client_id")
);

-- AddForeignKey
ALTER TABLE "ban" ADD CONSTRAINT "ban_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
